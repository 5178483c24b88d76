# frozen_string_literal: true

require "json"
require_relative "message"
require_relative "rpc_error"

module TaskerHost
  # Payloads that are too large for a message, as files in the scratch folder of the execution.
  module PayloadFile
    RESULT = "tasker-result.json"

    class << self
      # The params that the file named by params holds.
      def read(params, max_bytes)
        file = params["params_file"]
        path = path(params["scratch_dir"], file)
        text = File.open(path, File::RDONLY | File::NOFOLLOW | File::NONBLOCK) { |io| content(io, file, max_bytes) }
        parsed = Message.parse(text)
        parsed.is_a?(Hash) ? parsed : raise(bad("holds no object"))
      rescue SystemCallError => e
        raise bad("cannot be read: #{e.message}")
      rescue JSON::ParserError => e
        raise bad("is not JSON: #{e.message[0, 200]}")
      end

      # Writes json and returns the description of the file for the worker.
      def write(scratch_dir, json)
        require "digest"
        name = RESULT
        name = "tasker-result-#{rand(1 << 64).to_s(36)}.json" if File.exist?(File.join(scratch_dir, name))
        File.open(File.join(scratch_dir, name), File::WRONLY | File::CREAT | File::EXCL, 0o600) do |io|
          io.binmode
          io.write(json)
        end
        { path: name, bytes: json.bytesize, sha256: Digest::SHA256.hexdigest(json) }
      end

      private

      def path(dir, file)
        raise bad("must be an object, together with a scratch_dir") unless file.is_a?(Hash) && dir.is_a?(String)

        name = file["path"]
        unless name.is_a?(String) && !name.empty? && name != "." && name != ".." && !name.match?(%r{[/\0]})
          raise bad("has a path that is not the name of a file")
        end
        File.join(dir, name)
      end

      def content(io, file, max_bytes)
        raise bad("is no regular file") unless io.stat.file?
        raise RpcError.new(RpcError::TOO_LARGE, "params_file may have #{max_bytes} bytes") if io.stat.size > max_bytes

        text = io.read.force_encoding(Encoding::UTF_8)
        check(text, file)
        text
      end

      def check(text, file)
        require "digest"
        raise bad("has #{text.bytesize} bytes, not #{file["bytes"]}") if file["bytes"] && file["bytes"] != text.bytesize
        raise bad("has another sha256") if file["sha256"] && file["sha256"] != Digest::SHA256.hexdigest(text)
        raise bad("is not UTF-8") unless text.valid_encoding?
      end

      def bad(message)
        RpcError.new(RpcError::BAD_PARAMS, "params_file #{message}")
      end
    end
  end
end
