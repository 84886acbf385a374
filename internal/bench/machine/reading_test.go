package machine

import (
	"os"
	"path/filepath"
	"testing"
)

func TestProcessWritesAreThoseToADevice(t *testing.T) {
	const size = 4 << 20
	dir := t.TempDir()
	before, device := ProcessWrites(), DeviceWrites(dir)
	f, err := os.Create(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	kind, _ := mountOf(dir)
	if before == Unknown || kind == "tmpfs" {
		t.Skipf("the directory is in %s", kind)
	}
	if n := Grown(before, ProcessWrites()); n < size || n > 4*size {
		t.Errorf("%d bytes were written and synced, the process says %d", size, n)
	}
	if n := Grown(device, DeviceWrites(dir)); n != Unknown && n < size {
		t.Errorf("%d bytes were written and synced, the device says %d", size, n)
	}
}

func TestWhatCannotBeReadIsUnknown(t *testing.T) {
	if n := DeviceWrites("/proc"); n != Unknown {
		t.Errorf("a file system without a device has written %d bytes", n)
	}
	if n := DeviceWrites(filepath.Join(t.TempDir(), "missing")); n != Unknown {
		t.Errorf("a directory that is not there has written %d bytes", n)
	}
	if Grown(Unknown, 5) != Unknown || Grown(5, Unknown) != Unknown || Grown(5, 7) != 2 {
		t.Error("unknown is not a number to subtract")
	}
}
