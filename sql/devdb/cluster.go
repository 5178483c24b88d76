package devdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/tasker-systems/tasker-worker/internal/ownfolder"
)

// initdbArgs also name the cached copy: changing them makes a new one.
var initdbArgs = []string{
	"--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
}

// cachedData is the copy itself in its folder in the cache, next to the mark that says whose that is.
const cachedData = "data"

// prepareCluster fills the data folder, from the copy in the cache where there is one: copying takes a tenth of initdb.
func prepareCluster(ctx context.Context, from installation, f folder, as account, cacheDir string) error {
	cached := cachedCluster(cacheDir, from)
	if ownfolder.IsMarked(cached) {
		if err := copyCluster(filepath.Join(cached, cachedData), f.data(), as); err == nil {
			return nil
		}
		// It is damaged, or another start that failed is removing it.
		_ = ownfolder.RemoveMarked(cached)
		if err := f.empty(as); err != nil {
			return err
		}
	}
	if err := initdb(ctx, from, f, as); err != nil {
		return err
	}
	if cached != "" {
		_ = storeCluster(f.data(), cached) // without a copy the next start is slower, nothing else
	}
	return nil
}

// forgetCluster removes the copy from the cache. After a start that failed, a damaged copy may be the reason.
func forgetCluster(cacheDir string, from installation) {
	_ = ownfolder.RemoveMarked(cachedCluster(cacheDir, from)) // what another program has put there was not used
}

// cachedCluster is the path of the copy, or empty where this user has no cache folder.
func cachedCluster(cacheDir string, from installation) string {
	if cacheDir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		cacheDir = filepath.Join(user, "tasker-worker")
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %q", from.bin, from.version, initdbArgs))
	return filepath.Join(cacheDir, "cluster-"+from.version+"-"+hex.EncodeToString(sum[:4]))
}

func initdb(ctx context.Context, from installation, f folder, as account) error {
	cmd := exec.CommandContext(ctx, filepath.Join(from.bin, "initdb"), append(initdbArgs, "--pgdata="+f.data())...)
	cmd.Dir = f.Path
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as.credential}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd.Path, err, out)
	}
	return nil
}

// storeCluster puts a copy into the cache. The rename makes it appear whole; when another process was faster, its copy
// is as good.
func storeCluster(data, cached string) error {
	parent := filepath.Dir(cached)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(parent, ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if err := os.Mkdir(filepath.Join(temp, cachedData), 0o700); err != nil {
		return err
	}
	if err := copyCluster(data, filepath.Join(temp, cachedData), account{}); err != nil {
		return err
	}
	if err := ownfolder.Mark(temp, filepath.Base(cached)); err != nil {
		return err
	}
	if err := os.Rename(temp, cached); err != nil {
		if _, statErr := os.Stat(cached); statErr != nil {
			return err
		}
	}
	return nil
}

// copyCluster copies the files of a stopped cluster into the empty folder dst and gives them to the account.
func copyCluster(src, dst string, as account) error {
	return filepath.WalkDir(src, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(src, path)
		if err != nil || relative == "." {
			return err
		}
		target := filepath.Join(dst, relative)
		if entry.IsDir() {
			err = os.Mkdir(target, 0o700)
		} else {
			err = copyFile(path, target)
		}
		if err != nil {
			return err
		}
		return as.own(target)
	})
}

func copyFile(src, dst string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}

// environment is all that initdb and postgres see of ours: nothing secret, nothing that changes how they behave.
func environment() []string {
	return []string{"LC_ALL=C", "PATH=/usr/bin:/bin", "TZ=UTC"}
}
