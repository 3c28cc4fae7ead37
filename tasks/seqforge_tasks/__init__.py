"""The tasks that come with seqforge; each is found by its entry point, like a third party's."""
