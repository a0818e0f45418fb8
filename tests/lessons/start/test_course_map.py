"""The map of the course has a place for each lesson, and says in words what it shows."""

from tools.course import lessons
from wslab.lessons import FOLDERS
from wslab.lessons.start.course_map import AT_HOME, DOES, course_map


def test_every_lesson_has_one_place() -> None:
    numbers = [number for place in AT_HOME.values() for number in place]
    assert sorted(numbers) == [lesson.number for lesson in lessons()] == [*FOLDERS]
    assert set(DOES) == set(AT_HOME)


def test_the_map_is_drawn_with_all_lessons_and_in_words() -> None:
    figure = course_map()
    drawn = {text.get_text() for text in figure.figure.axes[0].texts}
    for place, subjects in AT_HOME.items():
        assert {place, *subjects, *subjects.values()} <= drawn
        assert f"{place} ({DOES[place]}): " in repr(figure)
    assert figure.png().startswith(b"\x89PNG")
