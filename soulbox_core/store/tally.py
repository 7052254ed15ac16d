"""How often what happened to the database, for the metrics."""


class Tally:
    """Counts since the service started."""

    def __init__(self) -> None:
        self.primary_reads = 0
        """Those that may be old and were answered by the primary all the same."""
        self.replica_reads = 0
        self.replica_failures = 0
        """Times that a replica did not answer, or answered what is none."""
        self.damaged = 0
        """Records and answers that are not what was kept; none of them was served."""
        self.rewrites = 0
        """Times that the database was rewritten to be small again."""
        self.dropped_for_room = 0
        """Records of runs that were dropped since there were too many."""
