"""Tests of the workbench, and `running`, with which every other test starts one."""
