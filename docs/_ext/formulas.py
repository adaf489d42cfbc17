"""Formulas as docstrings write them (dW_oi = Σ_n dy_no x_ni) in TeX, and how to tell them from code and drawings."""

import re
import unicodedata

HAT, BAR, TILDE = "\u0302", "\u0304", "\u0303"
ACCENTS = {HAT: r"\hat", BAR: r"\bar", TILDE: r"\tilde"}
SYMBOLS = {
    "−": "-", "·": r"\cdot ", "×": r"\times ", "⊙": r"\odot ", "⊗": r"\otimes ", "∗": r"\ast ", "∘": r"\circ ",
    "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "≡": r"\equiv ", "∈": r"\in ", "∞": r"\infty ",
    "→": r"\to ", "←": r"\leftarrow ", "⇒": r"\Rightarrow ", "↦": r"\mapsto ", "±": r"\pm ", "∓": r"\mp ",
    "∂": r"\partial ", "∇": r"\nabla ", "∫": r"\int ", "…": r"\dots ", "′": "'", "″": "''", "½": r"\tfrac12 ",
    "⅓": r"\tfrac13 ", "¼": r"\tfrac14 ", "‖": r"\Vert ", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ",
    "⌉": r"\rceil ", "ℓ": r"\ell ", "∧": r"\wedge ", "∨": r"\vee ", "∪": r"\cup ", "∖": r"\setminus ", "∝": r"\propto ",
    "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "#": r"\#", "≪": r"\ll ", "≫": r"\gg ", "⟨": r"\langle ",
    "⟩": r"\rangle ", "∀": r"\forall ", "–": r"\text{–}", "—": r"\text{—}",
}  # fmt: skip
BIG = {"Σ": r"\sum", "Π": r"\prod", "∏": r"\prod", "∑": r"\sum"}
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁱⁿᵀᵗᵏᵐʲᵝˣᴴᶜᵃᵇ", "0123456789+-()inTtkmjβxHcab"))
LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789+-()aeijklmnoprstuvx"))
FUNCTIONS = {"tanh", "cosh", "sinh", "sin", "cos", "tan", "log", "ln", "exp", "max", "min", "det", "arg", "lim", "inf"}
PLAIN = set("+-*/=<>()[],.;:!|'~ ")
CODE = re.compile(
    r"[\"`\\$@]|>>>|\bimport\b|\w\(\)|\w+\.\w+\(|^\s*(for|if|return|with|def|class)\b.*:$|\*\*|==|#|__|--"
)


OPTION = re.compile(r"[a-z]{3,}(_[a-z]{3,})+")  # weight_decay is an argument's name, not a weight with an index


class NotAFormula(ValueError):
    """A character or a nesting that TeX has no word for here."""


def block(lines: list[str]) -> str | None:
    """An indented block of a docstring as the body of a display; None if it is code or a drawing, not formulas."""
    text = "\n".join(lines)
    if CODE.search(text) or not re.search(r"[=≤≥≠≈←→]", text):
        return None
    try:
        rows = [[tex(cell) for cell in re.split(r"\s{3,}", line.strip())] for line in lines if line.strip()]
    except NotAFormula:
        return None
    columns = "l" * max(map(len, rows))
    return rf"\begin{{array}}{{{columns}}}" + r" \\ ".join(r" & \quad ".join(row) for row in rows) + r"\end{array}"


# Behind a sum and the name of a function TeX leaves its own space.
FUNCTION_SPACE = re.compile(r"(\\(?:sum|prod)(?:_\{[^{}]*\})?|\\(?:cos|exp|ln|log|max|min|sin|tanh) *)\\,")


def tex(formula: str) -> str:
    """One formula, or words with formulas among them. Raises NotAFormula."""
    decomposed = unicodedata.normalize("NFD", formula)
    out, rest = _sequence(decomposed, 0, "")
    if rest != len(decomposed):
        raise NotAFormula(formula)
    out = FUNCTION_SPACE.sub(r"\1 ", out)
    out = re.sub(r"(\\[a-z]+ )\\,", r"\1", out)  # tanh and its like bring their own
    out = re.sub(r"(\\text\{[^{}]*\})(?: |\\,)(?=\S)", r"\1\\ ", out)  # words stand apart
    return re.sub(r"(?<=[^\s\\]) (?=\\text\{)|\\,(?=\\text\{)", r"\\ ", out)


def _sequence(s: str, i: int, until: str) -> tuple[str, int]:
    """TeX of s[i:] up to the closing character ``until``, and the place behind it."""
    out: list[str] = []
    script = ""  # "_" or "^" if the last piece was one
    while i < len(s):
        c = s[i]
        if until and c == until:
            return "".join(out), i + 1
        mark = "^" if c in RAISED else "_" if c in LOWERED else ""
        if mark:
            raised = RAISED if mark == "^" else LOWERED
            j = i
            while j < len(s) and s[j] in raised:
                j += 1
            out.append(mark + "{" + "".join(raised[k] for k in s[i:j]) + "}")
            i, script = j, script + mark
            continue
        if c in "_^":
            if c in script:
                raise NotAFormula(s)  # TeX takes no second exponent
            piece, i = _script(s, i + 1)
            out.append(c + "{" + piece + "}")
            script += c
            continue
        script = ""
        if c == "√":
            piece, i = _root(s, i + 1)
            out.append(r"\sqrt{" + piece + "}")
        elif c in BIG:
            out.append(BIG[c] if i + 1 < len(s) and (s[i + 1] in "_^ " or s[i + 1] in LOWERED) else BIG[c] + " ")
            i += 1
        elif option := OPTION.match(s, i):
            out.append(rf"\text{{{option.group().replace('_', chr(92) + '_')}}}")
            i = option.end()
        elif c.isalpha():
            j = i
            while (
                j < len(s) and (s[j].isalpha() or s[j] in ACCENTS) and s[j] not in (*BIG, *RAISED, *LOWERED, *SYMBOLS)
            ):
                j += 1
            out.append(_letters(s[i:j]) if j > i else SYMBOLS[c])
            i = max(j, i + 1)
        elif c.isdigit():
            out.append(c)
            i += 1
        elif c in SYMBOLS:
            out.append(SYMBOLS[c])
            i += 1
        elif c in PLAIN or c == "\u0338":
            if c == "\u0338":  # NFD takes ≠ apart: the stroke comes after what it strikes
                out[-1] = r"\ne "
            else:
                out.append(_space(s[i - 1 : i], s[i + 1 : i + 2]) if c == " " else c)
            i += 1
        else:
            raise NotAFormula(s)
    if until:
        raise NotAFormula(s)
    return "".join(out), i


def _space(before: str, after: str) -> str:
    """A blank is a pause behind a comma, a thin space between factors, and nothing beside an operator."""
    if before and before in ",;:.":
        return r"\ "
    factor = before and (
        before.isalnum() or before in ")]}|′″½" or before in ACCENTS or before in RAISED or before in LOWERED
    )
    return r"\," if factor and after and (after.isalnum() or after in "(√|‖∂") and after not in BIG else " "


def _script(s: str, i: int) -> tuple[str, int]:
    """What hangs below or above: {a group}, (a group), or letters and digits as far as they go."""
    if i < len(s) and s[i] == "{":
        return _sequence(s, i + 1, "}")
    if i < len(s) and s[i] == "(":
        piece, j = _sequence(s, i + 1, ")")
        return f"({piece})", j
    j = i + (i < len(s) and s[i] in "−-")
    while j < len(s) and (s[j].isalnum() or s[j] in ACCENTS or s[j] in "′″∞*") and s[j] not in (*RAISED, *LOWERED):
        j += 1
    if j == i:
        raise NotAFormula(s)
    piece = "".join(SYMBOLS.get(c, c) for c in s[i:j])
    return (piece if len(piece) < 4 or not piece.isalpha() else rf"\text{{{piece}}}"), j


def _root(s: str, i: int) -> tuple[str, int]:
    """What stands under a root: (a group) or one word or number with what hangs at it."""
    if i < len(s) and s[i] == "(":
        return _sequence(s, i + 1, ")")
    j = i
    while j < len(s) and (s[j].isalnum() or s[j] in "_" or s[j] in ACCENTS):
        j += 1
    if j == i:
        raise NotAFormula(s)
    word = s[i:j]
    return (rf"\text{{{word.replace('_', chr(92) + '_')}}}" if len(word) > 3 else tex(word)), j


def _letters(word: str) -> str:
    """A name (dW, x̂, tanh) or an English word."""
    bare = "".join(c for c in word if c not in ACCENTS)
    if bare in FUNCTIONS:
        return rf"\{bare} "
    if len(bare) >= 3 and not re.fullmatch(r"d?[A-Z]{1,2}|d?[α-ωΑ-Ω][a-zA-Z]?", bare):
        return rf"\text{{{bare}}}" if len(bare) == len(word) else _accented(word)
    if bare in ("if", "is", "of", "at", "in", "or", "as", "to", "by", "no", "on", "an", "it", "so"):
        return rf"\text{{ {bare} }}"
    return _accented(word)


def _accented(word: str) -> str:
    out: list[str] = []
    for c in word:
        if c in ACCENTS:
            out[-1] = f"{ACCENTS[c]}{{{out[-1]}}}"
        else:
            out.append(c)
    return "".join(out) + (" " if len(out) > 1 else "")
