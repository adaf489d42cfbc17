"""Networks that more than one program uses."""
