"""What a person sees of a run: displays, tables, training curves and the summary."""

from eureka_agent.report.from_store import run_report
from eureka_agent.report.length import comparison_length, default_run, run_length_s, speed_of
from eureka_agent.report.model import RunReport
from eureka_agent.report.stored_runs import code_diff, overview, run_view
from eureka_agent.report.summary import summary
from eureka_agent.report.terminal.factory import make_listener, notebook_listener
from eureka_agent.report.terminal.live import LiveDisplay
from eureka_agent.report.terminal.page import put, whole_line
from eureka_agent.report.terminal.plain import PlainLog
from eureka_agent.report.terminal.run_list import runs_table
from eureka_agent.report.terminal.tables import (
    comparison_table,
    doctor_table,
    final_table,
    tasks_table,
)
from eureka_agent.report.terminal.validation import validation_table

__all__ = [
    "LiveDisplay",
    "PlainLog",
    "RunReport",
    "code_diff",
    "comparison_length",
    "comparison_table",
    "default_run",
    "doctor_table",
    "final_table",
    "make_listener",
    "notebook_listener",
    "overview",
    "put",
    "run_length_s",
    "run_report",
    "run_view",
    "runs_table",
    "speed_of",
    "summary",
    "tasks_table",
    "validation_table",
    "whole_line",
]
