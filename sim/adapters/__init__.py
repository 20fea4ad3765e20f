"""What of the simulator touches network, disk, threads or clock."""
