# frozen_string_literal: true

require "zlib"

module Demo
  # The figures of an imaginary company, one step for each kind. They are the same for the same quarter and region.
  module Collect
    def self.figure(kind, quarter, region, range)
      range.begin + (Zlib.crc32("#{kind} #{quarter} #{region}") % range.size)
    end

    class Sales < Tasker::StepHandler::Base
      def process(task, _sequence, _step)
        quarter, regions = task.context.values_at("quarter", "regions")
        { sales: regions.to_h { |region| [region, Collect.figure("sales", quarter, region, 8_000...12_000)] } }
      end
    end

    class Returns < Tasker::StepHandler::Base
      def process(task, _sequence, _step)
        quarter, regions = task.context.values_at("quarter", "regions")
        { returns: regions.to_h { |region| [region, Collect.figure("returns", quarter, region, 200...900)] } }
      end
    end

    class Targets < Tasker::StepHandler::Base
      def process(task, _sequence, _step)
        { targets: task.context["regions"].to_h { |region| [region, config["target_per_region"]] } }
      end
    end
  end
end
