# frozen_string_literal: true

# Leans on the app's code.
class CountStock < Tasker::StepHandler::Base
  def process(task, _sequence, _step)
    { stock: Warehouse::STOCK.fetch(task.context["article"]), folder: File.basename(Warehouse::BOOTED_IN) }
  end
end
