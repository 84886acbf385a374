package explain_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browsers are the programs that the test of the page can drive.
var browsers = []string{"chromium", "chromium-browser", "google-chrome"}

// browser starts one without a window and returns it with what went wrong in its pages.
func browser(t *testing.T) (context.Context, *complaints) {
	t.Helper()
	path := ""
	for _, name := range browsers {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skipf("none of %s is here: the page was not opened", strings.Join(browsers, ", "))
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	c := &complaints{}
	if err := chromedp.Listen(ctx, c.hear); err != nil {
		t.Fatal(err)
	}
	return ctx, c
}

// complaints are errors of scripts and of the content security policy.
type complaints struct {
	mu  sync.Mutex
	all []string
}

func (c *complaints) hear(event any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		c.all = append(c.all, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			c.all = append(c.all, e.Entry.Text)
		}
	}
}

func (c *complaints) take() (all []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all, c.all = c.all, nil
	return all
}

// sees runs steps on the page and then asks it a question.
func sees[T any](t *testing.T, ctx context.Context, question string, steps ...chromedp.Action[chromedp.Void]) T {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
	answer, err := chromedp.Run(ctx, chromedp.Evaluate[T](question))
	if err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	return answer
}

// What the tests ask the page.
const (
	what     = `document.getElementById("what").textContent`
	count    = `parseInt(document.getElementById("count").textContent)`
	painted  = `(() => { const c = document.getElementById("diagram"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n; })()`
	overflow = `document.documentElement.scrollWidth > innerWidth`
)

func choose(id, value string) chromedp.Action[chromedp.Void] {
	return do(fmt.Sprintf(`(() => { const x = document.getElementById(%q); x.value = %q; x.onchange(); })()`, id, value))
}

func click(selector string) chromedp.Action[chromedp.Void] {
	return do(fmt.Sprintf(`document.querySelector(%q).click()`, selector))
}

func do(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](script)
}

// TestPageInBrowser opens the pages at two sizes, steps, filters and zooms: they
// answer, and no script fails. WEIR_SHOTS names a directory for pictures of them.
func TestPageInBrowser(t *testing.T) {
	ctx, wrong := browser(t)
	for _, f := range failures {
		file := filepath.Join(t.TempDir(), f.oracle+".html")
		if err := os.WriteFile(file, []byte(page(t, &f, false)), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, size := range [][2]int64{{1280, 800}, {800, 1000}} {
			t.Run(fmt.Sprintf("%s %dx%d", f.oracle, size[0], size[1]), func(t *testing.T) {
				visit(t, ctx, &f, file, size)
				if all := wrong.take(); len(all) > 0 {
					t.Errorf("the page complains: %s", strings.Join(all, "\n"))
				}
			})
		}
	}
}

func visit(t *testing.T, ctx context.Context, f *failure, file string, size [2]int64) {
	r := f.tell(t).run
	first := sees[string](t, ctx, what, chromedp.EmulateViewport(size[0], size[1]), chromedp.Navigate("file://"+file))
	last := r.Chain[len(r.Chain)-1]
	if want := r.Sentence(last); !strings.HasPrefix(first, want) {
		t.Errorf("the page begins with %q, want %q", first, want)
	}
	shoot(t, ctx, fmt.Sprintf("%s-%d.png", f.oracle, size[0]))
	if n := sees[int](t, ctx, painted); n < 5_000 {
		t.Errorf("%d pixels are painted", n)
	}
	if sees[bool](t, ctx, overflow) {
		t.Error("the page is wider than its window")
	}
	if n := sees[int](t, ctx, `document.querySelectorAll("#chain li").length`); n < len(r.Chain) {
		t.Errorf("%d causes are listed, want %d", n, len(r.Chain))
	}
	press := func(keys string) string {
		return sees[string](t, ctx, what, do(`document.getElementById("diagram").focus()`), chromedp.KeyEvent(keys))
	}
	if back := press(kb.ArrowLeft); back == first {
		t.Error("Left does not step")
	} else if again := press(kb.ArrowRight); again != first {
		t.Errorf("Left and Right end at %q, began at %q", again, first)
	}
	few := sees[int](t, ctx, count)
	many := sees[int](t, ctx, count, choose("scope", "all"))
	if few < len(r.Chain) || many <= few {
		t.Errorf("%d events are shown of what led to it, %d of all", few, many)
	}
	filters(t, ctx, f, many)
	if got := press("v"); got != first {
		t.Errorf("v goes to %q, want %q", got, first)
	}
	for _, key := range []string{"+", "-", "0", "a", kb.ArrowUp, kb.ArrowDown} {
		press(key)
	}
	if said := sees[string](t, ctx, `document.getElementById("replay").textContent`, click("#copy")); said != hostile {
		t.Errorf("the page replays with %q", said)
	}
	hovers(t, ctx)
}

// filters narrows what is shown, one way after another.
func filters(t *testing.T, ctx context.Context, f *failure, many int) {
	for _, by := range []string{"epoch", "channel", "line"} {
		second := sees[string](t, ctx, fmt.Sprintf(`document.getElementById(%q).options[1].value`, by))
		if n := sees[int](t, ctx, count, choose(by, second)); n >= many || n == 0 {
			t.Errorf("%s: %d events of %s %s, %d of all", f.oracle, n, by, second, many)
		}
		if n := sees[int](t, ctx, count, choose(by, "")); n != many {
			t.Errorf("%s: %d events with any %s, want %d", f.oracle, n, by, many)
		}
	}
	if n := sees[int](t, ctx, count, click("#groups input[value=storage]")); n == many {
		t.Errorf("%s: a group that is left out leaves %d events", f.oracle, n)
	}
	if n := sees[int](t, ctx, count, click("#groups input[value=storage]")); n != many {
		t.Errorf("%s: %d events with the group, want %d", f.oracle, n, many)
	}
}

// hovers moves the mouse over the picture until something is said.
func hovers(t *testing.T, ctx context.Context) {
	tip := `document.getElementById("tip").hidden ? "" : document.getElementById("tip").textContent`
	box := sees[[4]float64](t, ctx, `(() => { const b = document.getElementById("stage").getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()`)
	for y := box[1] + 20; y < box[1]+box[3]; y += 12 {
		for x := box[0] + 130; x < box[0]+box[2]; x += 40 {
			if sees[string](t, ctx, tip, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y)) != "" {
				return
			}
		}
	}
	t.Error("nothing is said wherever the mouse is")
}

func shoot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("WEIR_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), png, 0o600); err != nil {
		t.Fatal(err)
	}
}
