"""What versioning is made of: repos, snapshots, sessions, history, verification."""
