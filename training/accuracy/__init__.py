"""The accuracy report: every bar of the project, the figure reached, and where the errors lie."""
