-- From version 13 to 14: where the broker put each letter of a redrive. Of those that were sent before, that is not known.
ALTER TABLE redrive_job_letters ADD COLUMN landed TEXT;
