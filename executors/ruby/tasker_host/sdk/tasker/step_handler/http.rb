# frozen_string_literal: true

require "json"
require "net/http"
require "uri"

module Tasker
  module StepHandler
    # HTTP for API handlers: Faraday when it is installed, else the part of it that handlers use, on net/http.
    module HTTP
      class Error < StandardError; end
      class ConnectionFailed < Error; end
      class TimeoutError < Error; end
      class SSLError < Error; end

      # Header names are the same in any case.
      class Headers < Hash
        def [](name)
          found = keys.find { |key| key.casecmp?(name.to_s.tr("_", "-")) }
          found && fetch(found)
        end

        def []=(name, value)
          delete(keys.find { |key| key.casecmp?(name.to_s.tr("_", "-")) })
          store(name.is_a?(Symbol) ? name.to_s.split("_").map(&:capitalize).join("-") : name.to_s, value)
        end

        def update(other)
          other&.each { |name, value| self[name] = value }
          self
        end
        alias merge! update
      end

      Options = Struct.new(:timeout, :open_timeout, :read_timeout, :write_timeout)

      # What a block given to get, post and so on fills in.
      class Request
        attr_accessor :method, :path, :params, :headers, :body, :options

        def initialize(method, path, params, headers, options)
          @method, @path, @params, @headers, @options = method, path, params, headers, options
        end

        def url(path, params = nil)
          @path = path
          @params.update(params) if params
        end
      end

      Env = Struct.new(:status, :body, :response_headers, :url, :method)

      # An answer, as Faraday presents it.
      class Response
        attr_reader :env, :reason_phrase

        def initialize(env, reason_phrase)
          @env = env
          @reason_phrase = reason_phrase
        end

        def status
          env.status
        end

        def body
          env.body
        end

        def headers
          env.response_headers
        end

        def [](name)
          headers[name]
        end

        def success?
          (200..299).cover?(status)
        end

        def finished?
          true
        end

        def to_hash
          { status: status, body: body, response_headers: headers, url: env.url }
        end
      end

      # A connection to one service.
      class Connection
        VERBS = { get: Net::HTTP::Get, head: Net::HTTP::Head, delete: Net::HTTP::Delete, options: Net::HTTP::Options,
                  trace: Net::HTTP::Trace, post: Net::HTTP::Post, put: Net::HTTP::Put, patch: Net::HTTP::Patch }.freeze
        WITH_BODY = %i[post put patch].freeze

        attr_reader :headers, :params, :ssl
        attr_accessor :url_prefix

        def initialize(url = nil, params: nil, headers: nil, ssl: nil, request: nil, **)
          @url_prefix = url && URI(url.to_s)
          @params = (params || {}).to_h { |key, value| [key.to_s, value] }
          @headers = Headers.new.update(headers)
          @ssl = ssl || {}
          @options = Options.new(*(request || {}).values_at(:timeout, :open_timeout, :read_timeout, :write_timeout))
          yield self if block_given?
        end

        (VERBS.keys - WITH_BODY).each do |verb|
          define_method(verb) do |path = nil, params = nil, headers = nil, &block|
            return @options if verb == :options && path.nil? # Faraday has both under this name

            perform(verb, path, params, nil, headers, &block)
          end
        end

        WITH_BODY.each do |verb|
          define_method(verb) do |path = nil, body = nil, headers = nil, &block|
            perform(verb, path, nil, body, headers, &block)
          end
        end

        def run_request(method, path, body, headers, &block)
          perform(method.to_sym, path, nil, body, headers, &block)
        end

        # Of Faraday's middleware there is :json, :authorization and :url_encoded; the rest is accepted and does
        # nothing.
        def request(name, *arguments)
          case name
          when :json then @json_request = true
          when :authorization then authorize(*arguments)
          when :basic_auth then authorize(:basic, *arguments)
          end
        end

        def response(name, *)
          @json_response = true if name == :json
          @raise_error = true if name == :raise_error
        end

        def use(*); end
        alias adapter use

        private

        def authorize(type, *credentials)
          headers["Authorization"] =
            type.to_s == "basic" ? "Basic #{[credentials.join(":")].pack("m0")}" : "#{type} #{credentials.join}"
        end

        def perform(verb, path, params, body, headers)
          request = Request.new(verb, path, @params.merge((params || {}).transform_keys(&:to_s)),
                                Headers.new.update(@headers).update(headers), @options.dup)
          request.body = body
          yield request if block_given?
          send_request(request)
        rescue Timeout::Error => e
          raise TimeoutError, e.message
        rescue OpenSSL::SSL::SSLError => e
          raise SSLError, e.message
        rescue SystemCallError, SocketError, EOFError, IOError => e
          raise ConnectionFailed, e.message
        end

        def send_request(request)
          uri = target(request)
          message = VERBS.fetch(request.method).new(uri)
          request.headers.each { |name, value| message[name] = value.to_s unless value.nil? }
          message.body = encode(request, message) unless request.body.nil?
          answer = session(uri, request.options) { |http| http.request(message) }
          respond(answer, uri, request.method)
        end

        def target(request)
          uri = @url_prefix ? join(@url_prefix, request.path) : URI(request.path.to_s)
          unless request.params.empty?
            given = URI.decode_www_form(uri.query.to_s)
            uri.query = URI.encode_www_form(given + flat(request.params))
          end
          raise Error, "#{uri} is no http or https URL" unless uri.is_a?(URI::HTTP)

          uri
        end

        # As Faraday does: the path is below the connection's own unless it begins with a slash or a scheme.
        def join(base, path)
          return base.dup if path.nil? || path.to_s.empty?
          return URI(path.to_s) if path.to_s.match?(%r{\Ahttps?://})

          base = base.dup
          base.path = "#{base.path}/" unless base.path.end_with?("/")
          base + path.to_s
        end

        def flat(params)
          params.flat_map do |key, value|
            value.is_a?(Array) ? value.map { |item| ["#{key}[]", item] } : [[key, value]]
          end
        end

        def encode(request, message)
          return request.body.to_s if request.body.is_a?(String)
          return JSON.generate(request.body) if json?(message)

          message["Content-Type"] ||= "application/x-www-form-urlencoded"
          URI.encode_www_form(flat(request.body))
        end

        def json?(message)
          message["Content-Type"] ||= "application/json" if @json_request
          message["Content-Type"].to_s.match?(/\bjson\b/)
        end

        def session(uri, options, &block)
          settings = { use_ssl: uri.scheme == "https", open_timeout: options.open_timeout || options.timeout,
                       read_timeout: options.read_timeout || options.timeout,
                       write_timeout: options.write_timeout || options.timeout }
          settings.merge!(ssl_settings) if settings[:use_ssl]
          Net::HTTP.start(uri.hostname, uri.port, **settings.compact, &block)
        end

        def ssl_settings
          ssl = @ssl.to_h.transform_keys(&:to_sym)
          verify_mode = OpenSSL::SSL::VERIFY_NONE if ssl[:verify] == false
          { verify_mode: verify_mode, ca_file: ssl[:ca_file], ca_path: ssl[:ca_path] }
        end

        def respond(answer, uri, method)
          headers = Headers.new
          answer.each_header { |name, value| headers[name] = value }
          response = Response.new(Env.new(answer.code.to_i, body_of(answer), headers, uri, method), answer.message)
          raise Error, "the server responded with status #{response.status}" if @raise_error && response.status >= 400

          response
        end

        def body_of(answer)
          body = answer.body.to_s
          return body unless @json_response && answer["Content-Type"].to_s.match?(/\bjson\b/)

          body.strip.empty? ? nil : JSON.parse(body)
        end
      end

      class << self
        # A connection with the settings of an API handler's config.
        def connect(config, &block)
          settings = config.respond_to?(:to_h) ? config.to_h.transform_keys(&:to_s) : {}
          headers = settings["headers"] || Api::Config::HEADERS
          arguments = { url: settings["url"], params: settings["params"] || {}, headers: headers }
          arguments[:ssl] = settings["ssl"].to_h.transform_keys(&:to_sym) if settings["ssl"]
          library.new(**arguments, &block)
        end

        # Faraday's own entry point, for handlers that call it when it is not installed.
        def new(url = nil, **options, &block)
          Connection.new(options.delete(:url) || url, **options, &block)
        end

        Connection::VERBS.each_key do |verb|
          define_method(verb) { |*arguments, &block| new.public_send(verb, *arguments, &block) } unless verb == :options
        end

        private

        def library
          require "faraday"
          ::Faraday
        rescue LoadError
          self
        end
      end
    end
  end
end
