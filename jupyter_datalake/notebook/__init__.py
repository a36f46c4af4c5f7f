"""What notebooks have beside the verbs: magics, completions, how things look in a cell, widgets."""
