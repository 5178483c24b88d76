throw new Error('a skipped folder was loaded');
