from .page_server import PageServer

__all__ = ["PageServer"]
