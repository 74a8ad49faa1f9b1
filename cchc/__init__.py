"""The kernel: settings, warehouse, reporting periods, progress and the command line. Imports nothing of the project."""

__version__ = "0.1.0"
