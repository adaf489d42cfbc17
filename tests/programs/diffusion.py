"""A denoising diffusion model: a time-conditioned U-Net with attention, a cosine schedule in buffers, sampling."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import einsum, nn


class SinusoidalPosEmb(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, t):
        half_dim = self.dim // 2
        emb = math.log(10000) / (half_dim - 1)
        emb = torch.exp(torch.arange(half_dim, device=t.device) * -emb)
        emb = t[:, None] * emb[None, :]
        return torch.cat((emb.sin(), emb.cos()), dim=-1)


class WeightStandardizedConv2d(nn.Conv2d):
    def forward(self, x):
        eps = 1e-5 if x.dtype == torch.float32 else 1e-3
        mean = self.weight.mean(dim=(1, 2, 3), keepdim=True)
        var = self.weight.var(dim=(1, 2, 3), unbiased=False, keepdim=True)
        weight = (self.weight - mean) * (var + eps).rsqrt()
        return F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class ResnetBlock(nn.Module):
    def __init__(self, dim, dim_out, *, time_emb_dim):
        super().__init__()
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(time_emb_dim, dim_out * 2))
        self.proj = WeightStandardizedConv2d(dim, dim_out, 3, padding=1)
        self.norm = nn.GroupNorm(2, dim_out)
        self.res_conv = nn.Conv2d(dim, dim_out, 1) if dim != dim_out else nn.Identity()

    def forward(self, x, time_emb):
        scale, shift = self.mlp(time_emb)[..., None, None].chunk(2, dim=1)
        h = self.norm(self.proj(x)) * (scale + 1) + shift
        return F.silu(h) + self.res_conv(x)


class Attention(nn.Module):
    def __init__(self, dim, heads=2, dim_head=3):
        super().__init__()
        self.scale, self.heads = dim_head**-0.5, heads
        self.g = nn.Parameter(torch.ones(1, dim, 1, 1))
        self.to_qkv = nn.Conv2d(dim, heads * dim_head * 3, 1, bias=False)
        self.to_out = nn.Conv2d(heads * dim_head, dim, 1)

    def forward(self, x):
        b, _, h, w = x.shape
        var, mean = torch.var_mean(x, dim=1, unbiased=False, keepdim=True)
        qkv = self.to_qkv((x - mean) * (var + 1e-5).rsqrt() * self.g).chunk(3, dim=1)
        q, k, v = (t.reshape(b, self.heads, -1, h * w) for t in qkv)
        sim = einsum("b h d i, b h d j -> b h i j", q * self.scale, k)
        attn = (sim - sim.amax(dim=-1, keepdim=True).detach()).softmax(dim=-1)
        out = einsum("b h i j, b h d j -> b h i d", attn, v)
        return self.to_out(out.permute(0, 1, 3, 2).reshape(b, -1, h, w)) + x


class Unet(nn.Module):
    def __init__(self, dim=4):
        super().__init__()
        time_dim = dim * 2
        self.init_conv = nn.Conv2d(1, dim, 3, padding=1)
        self.time_mlp = nn.Sequential(SinusoidalPosEmb(dim), nn.Linear(dim, time_dim), nn.GELU())
        self.down = nn.ModuleList([ResnetBlock(dim, dim, time_emb_dim=time_dim), nn.Conv2d(dim, dim * 2, 4, 2, 1)])
        self.mid = nn.ModuleList([ResnetBlock(dim * 2, dim * 2, time_emb_dim=time_dim), Attention(dim * 2)])
        self.up = nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(dim * 2, dim, 3, padding=1))
        self.final = nn.Conv2d(dim * 2, 1, 1)

    def forward(self, x, time):
        t = self.time_mlp(time)
        x = self.down[0](self.init_conv(x), t)
        r = x.clone()
        x = self.mid[1](self.mid[0](self.down[1](x), t))
        return self.final(torch.cat((self.up(x), r), dim=1))


def extract(a, t, x_shape):
    b, *_ = t.shape
    return a.gather(-1, t).reshape(b, *((1,) * (len(x_shape) - 1)))


class GaussianDiffusion(nn.Module):
    def __init__(self, model, timesteps=6, s=0.008):
        super().__init__()
        self.model, self.num_timesteps = model, timesteps
        x = torch.linspace(0, timesteps, timesteps + 1, dtype=torch.float64)
        bar = torch.cos(((x / timesteps) + s) / (1 + s) * math.pi * 0.5) ** 2
        betas = torch.clip(1 - bar[1:] / bar[:-1], 0, 0.999)
        alphas_cumprod = torch.cumprod(1.0 - betas, dim=0)
        alphas_cumprod_prev = F.pad(alphas_cumprod[:-1], (1, 0), value=1.0)
        variance = betas * (1.0 - alphas_cumprod_prev) / (1.0 - alphas_cumprod)
        for name, value in (("betas", betas), ("alphas_cumprod", alphas_cumprod), ("variance", variance)):
            self.register_buffer(name, value.to(torch.get_default_dtype()))

    @torch.no_grad()
    def p_sample(self, x, t):
        b_t = torch.full((x.shape[0],), t, device=x.device, dtype=torch.long)
        beta, bar = extract(self.betas, b_t, x.shape), extract(self.alphas_cumprod, b_t, x.shape)
        mean = (x - beta * self.model(x, b_t) / (1 - bar).sqrt()) * (1 - beta).rsqrt()
        noise = torch.randn_like(x) if t > 0 else 0.0
        return mean + (0.5 * extract(self.variance, b_t, x.shape).clamp(min=1e-20).log()).exp() * noise

    @torch.inference_mode()
    def sample(self, shape):
        img = torch.randn(shape)
        for t in reversed(range(self.num_timesteps)):
            img = self.p_sample(img, t)
        return (img + 1) * 0.5

    def forward(self, img):
        t = torch.randint(0, self.num_timesteps, (img.shape[0],), device=img.device).long()
        noise, bar = torch.randn_like(img), extract(self.alphas_cumprod, t, img.shape)
        return F.l1_loss(noise, self.model(bar.sqrt() * (img * 2 - 1) + (1 - bar).sqrt() * noise, t))


torch.manual_seed(0)
diffusion = GaussianDiffusion(Unet())
ema = copy.deepcopy(diffusion)
opt = torch.optim.Adam(diffusion.parameters(), lr=1e-3, betas=(0.9, 0.99))
for step in range(2):
    loss = diffusion(torch.rand(3, 1, 8, 6))
    opt.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(diffusion.parameters(), 1.0)
    opt.step()
    with torch.no_grad():
        for averaged, current in zip(ema.parameters(), diffusion.parameters()):
            averaged.lerp_(current, 0.1)
    print(f"step {step}: {loss.item():.6f}")
samples = ema.sample((2, 1, 8, 6))
print(samples.shape, samples.is_inference(), f"{samples.mean().item():.4f}")
