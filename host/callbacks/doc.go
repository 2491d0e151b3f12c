// Package callbacks lets outside systems end the wait of a node. Each gets a URL with a
// token that nobody can guess: 256 random bits, of which only the hash is stored. A token
// stands for one attempt of one node, is valid for a while, and is accepted once. What comes
// in is stored before it is answered and handed to the run afterwards, in the order in which
// it came, until the run has it: a busy store, a restart or a node that does not wait yet
// loses nothing. The rows are in docs/callbacks.md.
package callbacks
