"""Poses of people: from videos and keypoint files to the joints that `data.skeleton` draws."""
