package lane

// Sight is for tests what waits have learned about looking.
type Sight struct{ sight }

// Blind counts the waits that do not look from now on.
func (s *Sight) Blind() int {
	n := 0
	for s.closed() {
		n++
	}
	return n
}

// Seen notes that looking was of use.
func (s *Sight) Seen() { s.seen() }

// LostGlance notes that it was of none, LostToStranger that somebody else had the processor.
func (s *Sight) LostGlance()     { s.lost(1, blindMax) }
func (s *Sight) LostToStranger() { s.lost(busyMin, busyMax) }
