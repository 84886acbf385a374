package explain_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

func page(t *testing.T, f *failure, whole bool) string {
	t.Helper()
	x := f.tell(t)
	var b strings.Builder
	if err := x.run.WritePage(&b, x.told, whole); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPageStandsAlone: the page asks for nothing from elsewhere, its policy permits
// its own script and style and no others, and no text of a run ends an element.
func TestPageStandsAlone(t *testing.T) {
	for _, f := range failures {
		p := page(t, &f, false)
		for _, bad := range []string{"http://", "https://", "src=", "@import", "url(", " style=", " onclick=", "a </script> b"} {
			if strings.Contains(p, bad) {
				t.Errorf("%s: the page has %q", f.oracle, bad)
			}
		}
		for _, element := range []string{"script", "style"} {
			at := strings.LastIndex(p, "<"+element+">")
			text, _, ok := strings.Cut(p[at+len(element)+2:], "</"+element+">")
			sum := sha256.Sum256([]byte(text))
			if want := element + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; at < 0 || !ok || !strings.Contains(unescape(p), want) {
				t.Errorf("%s: the policy does not have %q", f.oracle, want)
			}
		}
	}
}

// unescape undoes what the template does to a plus sign in an attribute.
func unescape(p string) string { return strings.ReplaceAll(p, "&#43;", "+") }

// TestPageHasTheRun: indices are of events that are there, and a page that is not
// whole says how much it leaves out.
func TestPageHasTheRun(t *testing.T) {
	data := regexp.MustCompile(`(?s)<script type="application/json" id="run">(.*?)</script>`)
	left := 0
	for _, f := range failures {
		for _, whole := range []bool{false, true} {
			m := data.FindStringSubmatch(page(t, &f, whole))
			var run struct {
				Lines, Events        []json.RawMessage
				Chain                []int
				Links                [][2]int
				At, Left             int
				Arrows, Spans, Lives []struct{ F, O int }
			}
			if m == nil {
				t.Fatal("the page has no run")
			}
			if err := json.Unmarshal([]byte(m[1]), &run); err != nil {
				t.Fatal(err)
			}
			for _, i := range run.Chain {
				if i < 0 || i >= len(run.Events) {
					t.Errorf("%s: the chain has %d of %d events", f.oracle, i, len(run.Events))
				}
			}
			for _, a := range run.Arrows {
				if a.F < 0 || a.F >= a.O || a.O >= len(run.Events) {
					t.Fatalf("%s: an arrow from %d to %d of %d events", f.oracle, a.F, a.O, len(run.Events))
				}
			}
			if len(run.Chain) < 10 || len(run.Links) < 10 || run.At > len(run.Events) || whole && run.Left > 0 {
				t.Errorf("%s, whole %t: %d of the chain, %d links, broken at %d of %d, %d left out", f.oracle, whole, len(run.Chain), len(run.Links), run.At, len(run.Events), run.Left)
			}
			left += run.Left
		}
	}
	if left == 0 {
		t.Error("no run is so long that something is left out")
	}
}
