"""How providers and operators come in by HTTP."""
