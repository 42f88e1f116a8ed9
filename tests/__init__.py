"""The tests mirror the rooms; tests/house holds the rules of the house."""
