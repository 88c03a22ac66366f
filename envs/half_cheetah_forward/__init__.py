"""The task `half_cheetah_forward`."""
