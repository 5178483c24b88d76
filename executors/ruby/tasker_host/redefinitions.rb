# frozen_string_literal: true

module TaskerHost
  # Finds handlers that a second file defines again. Ruby reopens the class and mixes both definitions; here the first
  # definition is restored and stays in use.
  class Redefinitions
    # The errors, by the path of the second file.
    attr_reader :found

    # names has the names of the files in messages, by path.
    def initialize(names)
      @names = names
      @first = {}
      @found = {}
    end

    # Checks the class bodies of the files that the block loads.
    def watch(&block)
      trace = TracePoint.new(:end) { |point| check(point.self, point.path) if @names.key?(point.path) }
      trace.enable(target_thread: Thread.current, &block)
    end

    private

    def check(owner, file)
      return unless owner.is_a?(Class) && owner.method_defined?(:process, false)

      defined_in = owner.instance_method(:process).source_location&.first
      first = @first[owner]
      if first.nil?
        @first[owner] = { file: file, methods: methods_of(owner) } if defined_in == file
      elsif defined_in == file && first[:file] != file
        restore(owner, first, file)
      end
    end

    def methods_of(owner)
      names = owner.instance_methods(false) + owner.private_instance_methods(false)
      names.to_h { |name| [name, [visibility(owner, name), owner.instance_method(name)]] }
    end

    def visibility(owner, name)
      return :private if owner.private_method_defined?(name, false)

      owner.protected_method_defined?(name, false) ? :protected : :public
    end

    def restore(owner, first, file)
      first[:methods].each do |name, (visibility, method)|
        owner.define_method(name, method)
        owner.send(visibility, name)
      end
      @found[file] = Tasker::DuplicateHandler.new(
        "#{owner.name} is defined in #{@names[first[:file]]} and again in #{@names[file]}; the first one is served"
      )
    end
  end
end
