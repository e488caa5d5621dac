from tests.terminal.terminal_hosts import host, start_host

__all__ = ["host", "start_host"]
