"""Pictures of apples and look-alikes, drawn by this program: data without a download."""

from apple_clf.data.simulation.simulated import CLASS_NAMES, KINDS, Simulated, noise, simulate

__all__ = ["CLASS_NAMES", "KINDS", "Simulated", "noise", "simulate"]
