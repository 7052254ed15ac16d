"""The composition root: from settings to the parts of a service. Concrete classes meet here."""
