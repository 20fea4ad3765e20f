"""What of the daemons touches disk, network, processes or clock."""
