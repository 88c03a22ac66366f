"""The task `swimmer_forward`."""
