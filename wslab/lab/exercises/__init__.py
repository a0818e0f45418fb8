"""How an answer is judged. No lesson is known here: `check`, `hint`, `progress` are in `wslab.lessons`."""
