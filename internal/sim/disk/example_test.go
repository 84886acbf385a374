package disk_test

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/internal/sim/disk"
)

// A file whose bytes were synced is lost all the same when its name was not.
func ExampleVolume() {
	v := disk.New(disk.Config{})
	for _, name := range []string{"kept", "forgotten"} {
		f, _ := v.Mount().Create(name, vfs.WriteCategoryUnspecified)
		_, _ = f.Write([]byte("data"))
		_ = f.Sync()
		_ = f.Close()
		if name == "kept" {
			dir, _ := v.Mount().OpenDir("/")
			_ = dir.Sync()
		}
	}
	damage := v.Crash(nil) // a *seed.Stream here makes it a drawn crash
	fmt.Println(damage.ChangesLost, "change lost")
	fmt.Print(v)
	// Output:
	// 1 change lost
	// /
	// /kept 4
}
