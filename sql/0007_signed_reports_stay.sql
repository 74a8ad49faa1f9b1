-- Who owns a schema may drop whatever is in it, so `owner` could drop the signed reports that it may not change.
alter schema ops owner to current_user;
grant usage, create on schema ops to owner;
