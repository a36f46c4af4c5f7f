"""Facts that change: refs, commits, jobs and leases, in one SQL database."""
