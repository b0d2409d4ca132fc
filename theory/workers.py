"""Processes that examine claims: they share one import of the claims, which can begin while the parent does its own."""

from __future__ import annotations

from multiprocessing import get_all_start_methods, get_context
from multiprocessing.context import BaseContext
from pathlib import Path

__all__ = ["context", "start"]


def context() -> BaseContext:
    """Where the platform can fork, processes forked from one that has imported the claims; else new ones."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    server = get_context("forkserver")
    files = sorted((Path(__file__).parent / "claims").glob("[a-z]*.py"))
    server.set_forkserver_preload([f"theory.claims.{file.stem}" for file in files])
    return server


def start() -> None:
    """Begin the shared import now, in the background."""
    if context().get_start_method() == "forkserver":
        from multiprocessing import forkserver

        forkserver.ensure_running()
