"""Who is asking: accounts, sign-in, sessions, keys, and what guards them."""
