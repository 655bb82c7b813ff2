"""Where untrusted code runs: one protocol, and the choice of the strongest sandbox that works on this machine."""
