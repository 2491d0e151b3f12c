package runs

import "testing"

func TestATraceparentIsTakenOrLeftOut(t *testing.T) {
	t.Parallel()
	const id, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	const good = "00-" + id + "-" + span
	for header, want := range map[string]string{
		good + "-01": good + "-01",
		good + "-00": good + "-00",
		good + "-ff": good + "-01",
		good + "-fe": good + "-00",
		"cc-" + id + "-" + span + "-01-what-is-new": good + "-01",
		"":                                   "",
		good:                                 "",
		good + "-01-more":                    "",
		good + "-1":                          "",
		"ff-" + id + "-" + span + "-01":      "",
		"00-" + noTrace + "-" + span + "-01": "",
		"00-" + id + "-" + noSpan + "-01":    "",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-" + span + "-01": "",
		good + "-01\n": "",
	} {
		if got := traceOf(header); got != want {
			t.Errorf("%q gives %q", header, got)
		}
	}
}
