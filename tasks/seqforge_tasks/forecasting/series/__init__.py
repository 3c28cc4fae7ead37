"""Many series: read, split, encoded and cut into windows."""
