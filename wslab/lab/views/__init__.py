"""How things look: colours, figures, tables, words."""
