"""台账: what did happen. The only SQL; its public functions are verbs and queries that return frozen values."""
