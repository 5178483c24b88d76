package engine

// categoryByClass has the classes whose name alone says the category: the worker's own, and those of the languages and
// their usual libraries, by their exact names.
var categoryByClass = namesByCategory(map[ErrorCategory][]string{ //nolint:gochecknoglobals // a constant table
	CategoryPermanent: {ClassInvalidArguments, ClassInvalidResult, ClassResultTooLarge},
	CategoryTimeout: {
		ClassTimeout,
		"Timeout::Error", "Timeout::ExitException", "Net::OpenTimeout", "Net::ReadTimeout", "Net::WriteTimeout",
		"Errno::ETIMEDOUT", "IO::TimeoutError", "Faraday::TimeoutError", "HTTP::TimeoutError",
		"ActiveRecord::StatementTimeout", "ActiveRecord::QueryCanceled", "PG::QueryCanceled",
		"TimeoutError", "asyncio.exceptions.TimeoutError", "concurrent.futures._base.TimeoutError",
		"requests.exceptions.Timeout", "requests.exceptions.ConnectTimeout", "requests.exceptions.ReadTimeout",
		"httpx.ConnectTimeout", "httpx.ReadTimeout", "httpx.WriteTimeout", "subprocess.TimeoutExpired",
		"psycopg.errors.QueryCanceled", "psycopg2.errors.QueryCanceled",
	},
	CategoryNetwork: {
		"SocketError", "Socket::ResolutionError", "Errno::ECONNREFUSED", "Errno::ECONNRESET", "Errno::ECONNABORTED",
		"Errno::EHOSTUNREACH", "Errno::ENETUNREACH", "Errno::ENETDOWN", "Errno::EPIPE", "EOFError",
		"OpenSSL::SSL::SSLError", "Faraday::ConnectionFailed", "Faraday::SSLError", "HTTP::ConnectionError",
		"PG::ConnectionBad", "PG::UnableToSend", "ActiveRecord::ConnectionFailed", "ActiveRecord::ConnectionNotEstablished",
		"ConnectionError", "ConnectionRefusedError", "ConnectionResetError", "ConnectionAbortedError", "BrokenPipeError",
		"socket.gaierror", "ssl.SSLError", "urllib.error.URLError", "http.client.RemoteDisconnected",
		"requests.exceptions.ConnectionError", "requests.exceptions.SSLError", "httpx.ConnectError", "httpx.ReadError",
		"httpx.RemoteProtocolError", "aiohttp.client_exceptions.ClientConnectorError",
		"aiohttp.client_exceptions.ServerDisconnectedError",
	},
	CategoryConfiguration: {
		"LoadError", "Errno::EACCES", "Errno::EPERM", "Bundler::GemNotFound", "PG::InsufficientPrivilege", "PG::InvalidPassword",
		"ActiveRecord::DatabaseConnectionError", "ActiveRecord::NoDatabaseError",
		"ImportError", "ModuleNotFoundError", "PermissionError", "psycopg.errors.InsufficientPrivilege",
		"psycopg2.errors.InsufficientPrivilege", "Tasker::CommandRefused",
	},
	CategoryResourceExhaustion: {
		"NoMemoryError", "SystemStackError", "Errno::ENOSPC", "Errno::ENOMEM", "Errno::EMFILE", "Errno::ENFILE", "Errno::EDQUOT",
		"PG::OutOfMemory", "PG::DiskFull", "PG::TooManyConnections", "ActiveRecord::ConnectionTimeoutError",
		"MemoryError", "RecursionError", "psycopg.errors.TooManyConnections", "psycopg_pool.PoolTimeout",
	},
	CategoryStateInconsistency: {
		ClassProtocol,
		"ActiveRecord::StaleObjectError", "ActiveRecord::Deadlocked", "ActiveRecord::LockWaitTimeout",
		"ActiveRecord::SerializationFailure", "PG::TRDeadlockDetected", "PG::TRSerializationFailure", "PG::LockNotAvailable",
		"psycopg.errors.DeadlockDetected", "psycopg.errors.SerializationFailure", "psycopg.errors.LockNotAvailable",
		"psycopg2.errors.DeadlockDetected", "psycopg2.errors.SerializationFailure", "psycopg2.errors.LockNotAvailable",
	},
	CategoryDependencyFailure: {"Faraday::ServerError"},
	CategoryRateLimit:         {"Faraday::TooManyRequestsError"},
})

// categoryByCode has the codes of system errors, which Node's errors and many clients carry.
var categoryByCode = namesByCategory(map[ErrorCategory][]string{ //nolint:gochecknoglobals // a constant table
	CategoryTimeout: {"ETIMEDOUT", "ESOCKETTIMEDOUT", "UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"},
	CategoryNetwork: {
		"ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "ENOTFOUND", "EAI_AGAIN", "EPIPE",
		"UND_ERR_SOCKET",
	},
	CategoryConfiguration:      {"EACCES", "EPERM", "MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"},
	CategoryResourceExhaustion: {"ENOSPC", "ENOMEM", "EMFILE", "ENFILE", "EDQUOT"},
})

func namesByCategory(names map[ErrorCategory][]string) map[string]ErrorCategory {
	byName := map[string]ErrorCategory{}
	for category, all := range names {
		for _, name := range all {
			byName[name] = category
		}
	}
	return byName
}
