"""The untrusted side of the sandbox: the only place where candidate code runs."""
