module github.com/tasker-systems/tasker-worker

go 1.26
