"""What runs in a traced Python program. It loads the standard library's and functrace._native's."""
