"""Contracts that every encoder and every task must keep, for plugins' tests as for our own."""

from seqforge.testing.encoder_contract import check_encoder as check_encoder
from seqforge.testing.task_contract import check_task as check_task
from seqforge.testing.task_runs import TaskCase as TaskCase

__all__ = ["TaskCase", "check_encoder", "check_task"]
