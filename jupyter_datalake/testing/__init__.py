"""The published test kit: contracts that stores must keep, faults, fixtures, the lake's model."""
