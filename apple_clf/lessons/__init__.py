"""Lessons: a statement of an introduction, experiments that show it, and whether it held."""

from apple_clf.lessons.teaching import Lesson, Outcome, find_lesson, list_lessons, teach

__all__ = ["Lesson", "Outcome", "find_lesson", "list_lessons", "teach"]
