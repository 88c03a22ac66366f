"""Keep a ball on a tray that three legs carry."""
