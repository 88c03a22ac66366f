"""What runs on the untrusted side of the wall. The only place where candidate code is executed."""
